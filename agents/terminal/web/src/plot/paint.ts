/** Drawing on a canvas: sharp on every screen, in the page's colors. */

/** A color of the page by its name in the style sheet. */
export function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

const scheme = globalThis.matchMedia?.("(prefers-color-scheme: dark)");

/** Calls when the page turns dark or light, until what is returned is called. */
export function onScheme(call: () => void): () => void {
  scheme?.addEventListener("change", call);
  return () => scheme?.removeEventListener("change", call);
}

/** The canvas cleared and measured in the page's pixels. */
export function fresh(
  canvas: HTMLCanvasElement,
): { pen: CanvasRenderingContext2D; width: number; height: number } | undefined {
  const pen = canvas.getContext("2d");
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!pen || width === 0 || height === 0) return undefined;
  const ratio = devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return { pen, width, height };
}

/** Sources, columns and curves in the order they come: colors that people tell apart however they see colors. */
export const COLORS = ["blue", "vermilion", "green", "purple", "orange", "sky"] as const;

/** The color of the `place`th of several. */
export function nth(place: number): string {
  return color(COLORS[place % COLORS.length] as string);
}

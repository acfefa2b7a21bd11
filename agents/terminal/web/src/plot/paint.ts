/** Drawing on a canvas: sharp on every screen, in the page's colors. */

const scheme = globalThis.matchMedia?.("(prefers-color-scheme: dark)");

/** The colors that were asked for, until the page turns dark or light. */
const colors = new Map<string, string>();
scheme?.addEventListener("change", () => colors.clear());

/** A color of the page by its name in the style sheet. */
export function color(name: string): string {
  const known = colors.get(name);
  if (known !== undefined) return known;
  const found = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  colors.set(name, found);
  return found;
}

/** Calls when the page turns dark or light, until what is returned is called. */
export function onScheme(call: () => void): () => void {
  scheme?.addEventListener("change", call);
  return () => scheme?.removeEventListener("change", call);
}

/** The canvases that are drawn on, with their sizes where they are shown. */
const sizes = new WeakMap<Element, DOMRectReadOnly>();
const draws = new WeakMap<Element, () => void>();
// All are measured together: asking each for its size has the whole page laid out again each time.
const observer =
  globalThis.ResizeObserver &&
  new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) sizes.set(target, contentRect);
    for (const { target } of entries) draws.get(target)?.();
  });

/** Draws when the canvas is first shown and when its size changes, until what is returned is called. */
export function shown(canvas: HTMLCanvasElement, draw: () => void): () => void {
  draws.set(canvas, draw);
  observer?.observe(canvas);
  return () => observer?.unobserve(canvas);
}

/** The canvas cleared, with its size in the page's pixels; nothing where it isn't `shown`. */
export function fresh(
  canvas: HTMLCanvasElement,
): { pen: CanvasRenderingContext2D; width: number; height: number } | undefined {
  const pen = canvas.getContext("2d");
  const { width, height } = sizes.get(canvas) ?? { width: 0, height: 0 };
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

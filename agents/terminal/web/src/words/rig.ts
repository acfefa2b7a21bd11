/** A rig's ports, as files and messages write them. */

import type { PortName, RigDevice } from "../api/types";

export interface Port {
  /** `valve.left`, or `valve` where it has no ports. */
  name: string;
  device: string;
  port: string | null;
  kind: string;
}

/** A port as files and messages write it. */
export function portName({ device, port }: PortName): string {
  return port === null ? device : `${device}.${port}`;
}

/** A file's name without its folder. */
export function base(path: string): string {
  return path.split("/").at(-1) ?? path;
}

/** A file's name without its folder and its ending. */
export function stem(path: string): string {
  return (
    path
      .split("/")
      .at(-1)
      ?.replace(/\.star$/, "") ?? path
  );
}

/** All ports of a rig's devices, of one kind where that is given. */
export function ports(rig: RigDevice[], kind?: string): Port[] {
  return rig
    .filter((device) => kind === undefined || device.kind === kind)
    .flatMap((device): Port[] => {
      const of = { device: device.name, kind: device.kind };
      if (device.ports.length === 0) return [{ name: device.name, port: null, ...of }];
      return device.ports.map((port) => ({ name: `${device.name}.${port}`, port, ...of }));
    });
}

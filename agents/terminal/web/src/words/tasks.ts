/** What tasks and protocols are called where several have one name, and where a task's page is. */

/** What is said where the folder of tasks has none. */
export function none(what: "task" | "protocol", folder: string | undefined): string {
  return `No ${what} in ${folder ?? "the folder of tasks"}: put files there that end in .star, or say in the terminal's configuration, [web] tasks, which folder they are in.`;
}

/** A file of the folder of tasks. */
interface Filed {
  name: string;
  /** Its path within the folder. */
  file: string;
}

/** Its name, with its file where another of the list has the same name. */
export function called(one: Filed, list: Filed[]): string {
  const twice = list.some((other) => other.name === one.name && other.file !== one.file);
  return twice ? `${one.name} (${one.file})` : one.name;
}

/** Where a task's page is. */
export function address({ file }: Filed): string {
  const parts = file.replace(/\.star$/, "").split("/");
  return `/tasks/${parts.map(encodeURIComponent).join("/")}`;
}

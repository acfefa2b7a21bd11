/** People as they are written down: `Jane Doe@desk`. */

/** So many bytes of a name are taken, beside its computer's. */
const LONGEST = 100;

/** A name as it is kept: on one line, with one space between its words. */
export function tidy(name: string): string {
  return name.normalize("NFC").trim().replace(/\s+/g, " ");
}

/** Why a tidy name can't be one; empty where it can. */
export function mistake(name: string): string {
  if (name === "") return "Write your name.";
  if (/\p{Cc}/u.test(name)) return "A name has only letters, digits and signs that can be seen.";
  if (/^\s*@|@\S*\s|@$/u.test(name))
    return "What is behind the @ is a computer: jane@desk. Or leave both out.";
  if (new TextEncoder().encode(name).length > LONGEST) return "The name is too long.";
  return "";
}

/** The person of this name, at the computer of another where the name says none. */
export function at(name: string, other: string | null | undefined): string {
  const computer = other?.includes("@") ? other.slice(other.lastIndexOf("@") + 1) : "";
  return name === "" || name.includes("@") || computer === "" ? name : `${name}@${computer}`;
}

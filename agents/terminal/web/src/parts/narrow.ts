/** Whether the page is as narrow as a phone, where it has other parts than on a desk. */

import { MediaQuery } from "svelte/reactivity";

export const narrow = new MediaQuery("max-width: 44rem");

/** What every page starts; pages add their own module through the scripts block. */

import * as confirm from "./confirm.js";
import * as copy from "./copy.js";
import * as dropzone from "./dropzone.js";
import { fill } from "./format.js";
import * as menu from "./menu.js";
import * as poll from "./poll.js";
import * as toast from "./toast.js";
import * as upload from "./upload.js";

function enliven(root) {
  fill(root);
  dropzone.start(root);
  poll.start(root);
  confirm.start(root);
}

copy.start();
menu.start();
toast.start();
upload.start();
confirm.listen();
dropzone.guard();
enliven(document);

// What needs scripts is hidden until they run
for (const element of document.querySelectorAll("[data-needs-scripts][hidden]")) element.hidden = false;

document.addEventListener("htmx:load", (event) => enliven(event.detail.elt));

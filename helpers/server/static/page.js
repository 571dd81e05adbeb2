// Sends a picture, asks how it is doing, shows both pictures under a slider. No library, nothing from elsewhere.
"use strict";

const $ = (id) => document.getElementById(id);
const API = "/api/v1/backgrounds/";
const CSRF = { "X-CSRFToken": document.body.dataset.csrf };
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let job = null; // what is shown, so that it can be deleted

function say(text, problem = false) {
  $("status").textContent = text;
  $("status").classList.toggle("problem", problem);
}

function progress(value) { // null: hidden, undefined: going on
  $("progress").hidden = value === null;
  if (value === undefined || value === null) $("progress").removeAttribute("value");
  else $("progress").value = value;
}

// --- Choosing: the whole field is a file input, so that keyboard and screen reader know it ---

function showChosen() {
  const file = $("picture").files[0];
  $("preview").hidden = !file;
  if (!file) return;
  URL.revokeObjectURL($("preview").src);
  $("preview").src = URL.createObjectURL(file);
  $("chosen").textContent = file.name;
}

$("picture").addEventListener("change", showChosen);
for (const name of ["dragenter", "dragover"]) {
  $("drop").addEventListener(name, (event) => { event.preventDefault(); $("drop").classList.add("over"); });
}
for (const name of ["dragleave", "drop"]) {
  $("drop").addEventListener(name, () => $("drop").classList.remove("over"));
}
$("drop").addEventListener("drop", (event) => {
  event.preventDefault();
  if (!event.dataTransfer.files.length) return;
  $("picture").files = event.dataTransfer.files;
  showChosen();
});
// Using a field of a choice makes the choice.
for (const id of ["color", "background"]) {
  $(id).addEventListener("input", () => {
    document.querySelector(`[name=behind][value=${id === "color" ? "color" : "picture"}]`).checked = true;
  });
}

// --- Sending ---

function collected() {
  const chosen = new FormData($("form"));
  const form = new FormData();
  form.append("picture", $("picture").files[0]);
  form.append("edge", chosen.get("edge"));
  const behind = chosen.get("behind");
  if (behind === "picture") {
    if (!$("background").files.length) throw new Error("Choose the picture that shall be behind the person.");
    form.append("background", $("background").files[0]);
  } else {
    form.append("mode", behind);
    form.append("color", $("color").value);
  }
  return form;
}

// XMLHttpRequest tells how much of the upload is done, which fetch does not.
function upload(form) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", API);
    request.setRequestHeader("X-CSRFToken", CSRF["X-CSRFToken"]);
    request.responseType = "json";
    request.upload.onprogress = (event) => progress(event.lengthComputable ? 100 * event.loaded / event.total : undefined);
    request.upload.onload = () => { progress(undefined); say("Checking the picture …"); };
    request.onload = () => (request.status === 202 ? resolve(request.response) : reject(new Error(reason(request))));
    request.onerror = () => reject(new Error("The service can't be reached; is it running?"));
    request.send(form);
  });
}

function reason(request) {
  const said = request.response;
  if (request.status === 429) {
    return `Too much to do just now; try again in ${request.getResponseHeader("Retry-After")} seconds.`;
  }
  if (said && said.detail) return said.detail;
  if (said) return Object.values(said).flat().join(" ");
  return `The service answered ${request.status}.`;
}

async function finished(accepted) {
  for (let wait = 150; ; wait = Math.min(1.3 * wait, 2000)) {
    await pause(wait);
    const answer = await fetch(accepted.url);
    if (answer.status === 429) { await pause(3000); continue; }
    if (!answer.ok) throw new Error("The picture is no longer there.");
    const now = await answer.json();
    if (now.state === "done") return now;
    if (now.state === "failed") throw new Error(now.error);
    say(now.state === "running" ? "Replacing the background …" : `Waiting; ${now.ahead} before yours.`);
  }
}

function forget() {
  job = null;
  $("result").hidden = true;
  for (const id of ["before", "after"]) {
    if ($(id).src.startsWith("blob:")) URL.revokeObjectURL($(id).src);
    $(id).removeAttribute("src");
  }
}

async function show(done, file) {
  const answer = await fetch(done.result);
  if (!answer.ok) throw new Error("The result is no longer there.");
  $("before").src = URL.createObjectURL(file);
  $("after").src = $("download").href = URL.createObjectURL(await answer.blob());
  await $("after").decode();
  $("result").hidden = false;
  job = done;
  moved();
}

$("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const file = $("picture").files[0];
  try {
    const form = collected();
    $("send").disabled = true;
    forget();
    say("Sending …");
    progress(0);
    await show(await finished(await upload(form)), file);
    say("Done. Move the slider to compare, with mouse, finger or arrow keys.");
    $("slider").focus();
  } catch (error) {
    say(error.message, true);
  }
  progress(null);
  $("send").disabled = false;
});

// --- Looking at it ---

function moved() {
  $("compare").style.setProperty("--cut", `${$("slider").value}%`);
}

$("slider").addEventListener("input", moved);
$("delete").addEventListener("click", async () => {
  const answer = await fetch(job.url, { method: "DELETE", headers: CSRF });
  if (!answer.ok && answer.status !== 404) return say("It could not be deleted; it will be by itself.", true);
  forget();
  say("Deleted.");
  $("picture").focus();
});

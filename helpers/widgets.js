// Makes a still picture in a page alive. Called by helpers.widgets with the widget's id, its kind and its data; knows no
// kernel, no network and no library, so it works wherever a page runs scripts. Without scripts the picture stays.
(function (id, kind, data) {
  "use strict";

  function make(tag, parent, style, properties) {
    const element = Object.assign(document.createElement(tag), properties);
    Object.assign(element.style, style);
    parent.append(element);
    return element;
  }

  // A slider with its name to the left and what it says to the right; arrow keys move it like any slider.
  function slider(root, name, range, onChange) {
    const line = make("label", root, {
      display: "flex", gap: "0.7em", alignItems: "center", maxWidth: root.firstElementChild.style.maxWidth,
      fontFamily: "system-ui, sans-serif", fontSize: "14px", margin: "6px 0",
    });
    make("span", line, {}, { textContent: name });
    const input = make("input", line, { flex: "1", minWidth: "6em" }, { type: "range", ...range });
    const says = make("output", line, { minWidth: "3.5em", whiteSpace: "nowrap", fontVariantNumeric: "tabular-nums" });
    const update = () => { says.textContent = onChange(Number(input.value)); };
    input.addEventListener("input", update);
    update();
    return { line, input, update };
  }

  function layer(stage, tag, properties) {
    const style = { position: "absolute", inset: "0", width: "100%", height: "100%", margin: "0", pointerEvents: "none" };
    return make(tag, stage, style, { alt: "", ...properties });
  }

  function tag(stage, text, side) {
    const style = {
      position: "absolute", top: "6px", [side]: "6px", padding: "2px 7px", borderRadius: "3px", lineHeight: "1.4",
      background: "rgba(0,0,0,.65)", color: "white", font: "13px system-ui, sans-serif", pointerEvents: "none",
      whiteSpace: "nowrap",
    };
    return make("span", stage, style, { textContent: text });
  }

  // Call `use` with the first channel of a grey picture, once it is decoded.
  function readGrey(source, use) {
    const picture = new Image();
    picture.onload = () => {
      const canvas = Object.assign(document.createElement("canvas"), { width: picture.width, height: picture.height });
      const context = canvas.getContext("2d", { willReadFrequently: true });
      context.drawImage(picture, 0, 0);
      const rgba = context.getImageData(0, 0, picture.width, picture.height).data;
      use(Uint8Array.from({ length: rgba.length / 4 }, (_, i) => rgba[4 * i]), picture.width, picture.height);
    };
    picture.src = source;
  }

  // Paint the pixels for which `choose(value)` holds.
  function paint(canvas, values, color, choose) {
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(canvas.width, canvas.height);
    for (let i = 0; i < values.length; i++)
      if (choose(values[i])) pixels.data.set(color, 4 * i);
    context.putImageData(pixels, 0, 0);
  }

  const kinds = {
    compare(root, stage) {
      const after = layer(stage, "img", { src: data.after });
      const edge = make("div", stage, {
        position: "absolute", top: "0", bottom: "0", width: "2px", background: "white", boxShadow: "0 0 3px black",
        pointerEvents: "none",
      });
      tag(stage, data.titles[0], "left");
      tag(stage, data.titles[1], "right");
      const control = slider(root, "swipe", { min: 0, max: 100, value: 50 }, (percent) => {
        after.style.clipPath = `inset(0 0 0 ${percent}%)`;
        edge.style.left = `calc(${percent}% - 1px)`;
        return "";
      });
      stage.style.cursor = "ew-resize";
      stage.addEventListener("pointermove", (event) => {
        const box = stage.getBoundingClientRect();
        control.input.value = (100 * (event.clientX - box.left)) / box.width;
        control.update();
      });
    },

    strength(root, stage) {
      const colors = layer(stage, "img", { src: data.colors });
      slider(root, "strength", { min: 0, max: 100, value: data.value }, (percent) => {
        colors.style.opacity = percent / 100;
        return (percent / 100).toFixed(2);
      });
    },

    threshold(root, stage) {
      readGrey(data.probability, (values, width, height) => {
        const canvas = layer(stage, "canvas", { width, height });
        slider(root, data.name, { min: 1, max: 255, value: data.value }, (least) => {
          paint(canvas, values, data.color, (value) => value >= least);
          const share = values.reduce((count, value) => count + (value >= least), 0) / values.length;
          return `≥ ${(least / 255).toFixed(2)}: ${(100 * share).toFixed(1)} %`;
        });
      });
    },

    hover(root, stage) {
      readGrey(data.ids, (values, width, height) => {
        const canvas = layer(stage, "canvas", { width, height });
        const name = tag(stage, "", "left");
        name.setAttribute("aria-live", "polite");
        const spot = { x: Math.floor(width / 2), y: Math.floor(height / 2) };
        let shown = null;
        const look = () => {
          const id = values[spot.y * width + spot.x];
          name.textContent = `row ${spot.y}, column ${spot.x}: ${id} ${data.names[id] ?? "no label"}`;
          if (id !== shown) paint(canvas, values, data.colors[id] ?? [255, 255, 255, 150], (value) => value === id);
          shown = id;
        };
        const move = (x, y) => {
          spot.x = Math.min(Math.max(Math.floor(x), 0), width - 1);
          spot.y = Math.min(Math.max(Math.floor(y), 0), height - 1);
          look();
        };
        stage.tabIndex = 0;
        stage.style.cursor = "crosshair";
        stage.addEventListener("pointermove", (event) => {
          const box = stage.getBoundingClientRect();
          move((width * (event.clientX - box.left)) / box.width, (height * (event.clientY - box.top)) / box.height);
        });
        const steps = { ArrowLeft: [-8, 0], ArrowRight: [8, 0], ArrowUp: [0, -8], ArrowDown: [0, 8] };
        stage.addEventListener("keydown", (event) => {
          if (!(event.key in steps)) return;
          event.preventDefault();
          event.stopPropagation(); // JupyterLab would move to another cell
          move(spot.x + steps[event.key][0], spot.y + steps[event.key][1]);
        });
        look();
      });
    },

    frames(root, stage) {
      const picture = stage.querySelector("img");
      const control = slider(root, data.name, { min: 0, max: data.frames.length - 1, value: data.value }, (index) => {
        picture.src = data.frames[index];
        return data.captions[index];
      });
      data.titles.forEach((title, i) => tag(stage, title, ["left", "right"][i]));
      if (!data.rate) return;
      let timer = null;
      const button = make("button", control.line, {}, { type: "button", textContent: "▶ play" });
      button.addEventListener("click", () => {
        if (timer) timer = clearInterval(timer);
        else timer = setInterval(() => {
          if (!root.isConnected) return clearInterval(timer);
          control.input.value = (Number(control.input.value) + 1) % data.frames.length;
          control.update();
        }, 1000 / data.rate);
        button.textContent = timer ? "❚❚ pause" : "▶ play";
      });
    },
  };

  for (const root of document.querySelectorAll(`[data-widget="${id}"]`)) {
    if (root.dataset.ready) continue; // the page may hold the same widget twice
    root.dataset.ready = "yes";
    const picture = root.querySelector("img");
    const stage = make("div", root, {
      position: "relative", width: "100%", maxWidth: picture.style.maxWidth, lineHeight: "0", touchAction: "pan-y",
    });
    root.prepend(stage);
    Object.assign(picture.style, { width: "100%", maxWidth: "100%", margin: "0" });
    stage.append(picture);
    kinds[kind](root, stage);
  }
})

// Runs decoders in the page: unpacks a program's weights when its explorer is first opened, and draws what codes decode to.
const latentExplorer = (() => {
  // Images lie in memory as rows of pixels with their channels side by side, so that inner loops run over channels.
  async function unpack(program, text) {
    const deflated = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate"));
    const buffer = await new Response(stream).arrayBuffer();
    const floats = (start, length) => new Float32Array(buffer, start, length);
    let shape = null; // height, width, channels once the code has become an image
    let length = program.inputs;
    return program.operations.map((operation) => {
      const { kind } = operation;
      if (kind === "linear" || kind === "transposed") {
        const [outputs, inputs, high = 1, wide = 1] = operation.size;
        const count = outputs * inputs * high * wide;
        const whole = new (operation.bits > 8 ? Int16Array : Int8Array)(buffer, operation.weights, count);
        const scales = floats(operation.scales, outputs);
        const weights = new Float32Array(count);
        const blocked = outputs - (outputs % 4);
        for (let o = 0, from = 0; o < outputs; o++) {
          const start = o < blocked ? (o - (o % 4)) * inputs + (o % 4) : o * inputs;
          const step = o < blocked ? 4 : 1;
          for (let i = 0; i < inputs; i++)
            for (let tap = 0; tap < high * wide; tap++, from++)
              weights[tap * outputs * inputs + start + i * step] = whole[from] * scales[o];
        }
        const layer = { kind, weights, biases: floats(operation.biases, outputs), inputs, outputs };
        if (kind === "transposed") {
          const [down, right] = operation.stride, [top, left] = operation.padding;
          layer.rows = taps(shape[0], high, down, top);
          layer.columns = taps(shape[1], wide, right, left);
          layer.width = shape[1];
          layer.wide = wide;
          shape = [layer.rows.length, layer.columns.length, outputs];
        }
        length = shape ? shape[0] * shape[1] * shape[2] : outputs;
        return { ...layer, result: new Float32Array(length) };
      }
      if (kind === "reshape") {
        const [channels, height, width] = operation.shape;
        shape = [height, width, channels];
      }
      return { kind, shape, slope: operation.slope ?? 0, result: new Float32Array(length) };
    });
  }

  // For each output position along one side: the input positions that reach it, each with its place in the kernel.
  function taps(size, kernel, stride, padding) {
    return Array.from({ length: (size - 1) * stride + kernel - 2 * padding }, (_, at) => {
      const found = [];
      for (let k = (at + padding) % stride; k < kernel; k += stride) {
        const from = (at + padding - k) / stride;
        if (from >= 0 && from < size) found.push([from, k]);
      }
      return found;
    });
  }

  // Adds a matrix times x[from …] to result[to …]. The matrix lies at weights[at …] in blocks of four outputs, those of
  // one input side by side, which reads each number of x once for four; what is left over lies output by output.
  function multiply(weights, at, outputs, x, from, inputs, result, to) {
    const till = from + inputs;
    let o = to;
    for (; o + 3 < to + outputs; o += 4) {
      let a = 0, b = 0, c = 0, d = 0;
      for (let i = from; i < till; i++, at += 4) {
        const value = x[i];
        a += weights[at] * value;
        b += weights[at + 1] * value;
        c += weights[at + 2] * value;
        d += weights[at + 3] * value;
      }
      result[o] += a;
      result[o + 1] += b;
      result[o + 2] += c;
      result[o + 3] += d;
    }
    for (; o < to + outputs; o++) {
      let sum = 0;
      for (let i = from; i < till; i++, at++) sum += weights[at] * x[i];
      result[o] += sum;
    }
  }

  function linear({ weights, biases, inputs, outputs, result }, x) {
    result.set(biases);
    multiply(weights, 0, outputs, x, 0, inputs, result, 0);
  }

  function transposed({ weights, biases, inputs, outputs, result, rows, columns, width, wide }, x) {
    const size = outputs * inputs;
    let to = 0;
    for (const row of rows) {
      for (const column of columns) {
        for (let o = 0; o < outputs; o++) result[to + o] = biases[o];
        for (const [y, high] of row)
          for (const [left, place] of column)
            multiply(weights, (high * wide + place) * size, outputs, x, (y * width + left) * inputs, inputs, result, to);
        to += outputs;
      }
    }
  }

  function reshape({ shape: [height, width, channels], result }, x) {
    const area = height * width;
    for (let c = 0, from = 0; c < channels; c++)
      for (let pixel = 0; pixel < area; pixel++, from++) result[pixel * channels + c] = x[from];
  }

  function pointwise({ kind, slope, result }, x) {
    const { length } = x;
    if (kind === "sigmoid") for (let i = 0; i < length; i++) result[i] = 1 / (1 + Math.exp(-x[i]));
    else if (kind === "tanh") for (let i = 0; i < length; i++) result[i] = Math.tanh(x[i]);
    else for (let i = 0; i < length; i++) result[i] = x[i] > 0 ? x[i] : slope * x[i];
  }

  // The image of a code, as rows of pixels with their channels side by side. The array is used again by the next call.
  function decode(layers, code) {
    const steps = { linear, transposed, reshape };
    let x = code;
    for (const layer of layers) {
      (steps[layer.kind] ?? pointwise)(layer, x);
      x = layer.result;
    }
    return x;
  }

  function paint(canvas, values, channels) {
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    const colours = channels >= 3 ? [0, 1, 2] : [0, 0, 0];
    for (let pixel = 0; pixel < canvas.width * canvas.height; pixel++) {
      for (let c = 0; c < 3; c++) image.data[4 * pixel + c] = 255 * values[pixel * channels + colours[c]];
      image.data[4 * pixel + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }

  async function open(root) {
    const data = JSON.parse(root.querySelector("script").textContent);
    const layers = await unpack(data.program, data.weights);
    data.weights = null;
    const [centre, spread] = data.range;
    const canvas = root.querySelector("canvas");
    const status = root.querySelector(".explorer-status");
    const rows = [...root.querySelectorAll(".explorer-row")].map((row) => {
      const slider = row.querySelector("input");
      return {
        slider, j: Number(slider.dataset.coordinate), name: row.querySelector("label").firstChild.data.trim(),
        output: row.querySelector("output"), sweep: row.querySelector("button"), passive: row.classList.contains("passive"),
      };
    });
    const thumbs = [...root.querySelectorAll(".explorer-starts button")];
    const still = matchMedia("(prefers-reduced-motion: reduce)");
    const spelled = (value) => (data.prior ? value.toFixed(2) : String(Number(value.toPrecision(3)))).replace("-", "−");
    let code, start, first, planned = 0, settling = 0, sweeping = null;

    function draw() {
      planned = 0;
      const values = decode(layers, code);
      paint(canvas, values, data.program.shape[0]);
      first ??= values.slice();
      clearTimeout(settling);
      settling = setTimeout(describe, 400, values);
    }

    function describe(values) {
      let change = 0;
      for (let i = 0; i < values.length; i++)
        change += Math.abs(Math.min(1, Math.max(0, values[i])) - Math.min(1, Math.max(0, first[i])));
      const at = rows.filter((row) => !row.passive).slice(0, 10).map((row) => `${row.name} ${spelled(code[row.j])}`);
      const away = (change / values.length).toFixed(3);
      canvas.setAttribute("aria-label", `Image decoded by ${canvas.dataset.label} at ${at.join(", ") || "this code"}; `
        + `differs from where you started by ${away} of the range from black to white on average`);
    }

    function show() {
      for (const { slider, j, output } of rows) {
        const place = spread[j] > 0 ? (code[j] - centre[j]) / spread[j] : 0;
        slider.value = place;
        output.value = spelled(code[j]);
        slider.setAttribute("aria-valuetext", output.value);
      }
      planned ||= requestAnimationFrame(draw);
    }

    function begin(from, words) {
      stop();
      start = Float32Array.from(from);
      code = start.slice();
      first = null;
      if (words) status.textContent = words;
      show();
    }

    function stop() {
      if (!sweeping) return;
      cancelAnimationFrame(sweeping.frame);
      sweeping.row.sweep.setAttribute("aria-pressed", "false");
      sweeping = null;
    }

    // Once up to the end of the range, down to the other and back; still pictures, one a second, for those who ask for
    // less motion.
    function sweep(row) {
      const { j } = row;
      const unit = spread[j] > 0 ? (code[j] - centre[j]) / spread[j] : 0;
      const from = Math.min(3, Math.max(-3, unit));
      const before = code[j];
      const began = performance.now();
      row.sweep.setAttribute("aria-pressed", "true");
      const step = (now) => {
        const seconds = Math.max(0, now - began) / 1000;
        const way = still.matches ? Math.floor(seconds) : seconds * 3;
        const up = from + way;
        const place = up <= 3 ? up : up <= 9 ? 6 - up : up - 12;
        code[j] = way >= 12 ? before : centre[j] + spread[j] * place;
        show();
        if (way >= 12) stop();
        else sweeping.frame = requestAnimationFrame(step);
      };
      sweeping = { row, frame: requestAnimationFrame(step) };
    }

    for (const row of rows) {
      row.slider.addEventListener("input", () => {
        stop();
        code[row.j] = centre[row.j] + spread[row.j] * Number(row.slider.value);
        show();
      });
      row.sweep.addEventListener("click", () => {
        const running = sweeping?.row === row;
        stop();
        if (!running) sweep(row);
      });
    }
    for (const button of root.querySelectorAll("[data-start]")) {
      button.addEventListener("click", () => {
        const { start: kind } = button.dataset;
        if (kind !== "reset") for (const thumb of thumbs) thumb.setAttribute("aria-pressed", String(thumb === button));
        if (kind === "reset") begin(start, "Back where you started.");
        else if (kind === "centre") begin(centre, `${button.textContent.trim()}.`);
        else if (kind === "draw") begin(data.draws[Math.floor(Math.random() * data.draws.length)], "A new draw.");
        else begin(data.starts[Number(kind)], `Started from image ${Number(kind) + 1}.`);
      });
    }
    root.addEventListener("toggle", () => root.open || stop());
    thumbs[0]?.setAttribute("aria-pressed", "true");
    begin(thumbs.length ? data.starts[0] : centre);
  }

  for (const root of document.querySelectorAll("details.explorer")) {
    const opened = () => {
      if (!root.open) return;
      root.removeEventListener("toggle", opened);
      open(root);
    };
    root.addEventListener("toggle", opened);
    opened();
  }
  return { unpack, decode };
})();

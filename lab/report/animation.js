// A GIF, decoded here: a browser by itself can neither pause one nor show a chosen frame of it.
const animation = (() => {
  "use strict";
  // GIF's LZW: codes of growing width, each a known string plus one more value.
  const unpacked = (data, size, count) => {
    const out = new Uint8Array(count), clear = 1 << size;
    const prefix = new Uint16Array(4096), suffix = new Uint8Array(4096), stack = [];
    for (let i = 0; i < clear; i += 1) suffix[i] = i;
    let [width, next, last, first, held, bits, at, place] = [size + 1, clear + 2, -1, 0, 0, 0, 0, 0];
    while (place < count) {
      for (; bits < width && at < data.length; at += 1, bits += 8) held |= data[at] << bits;
      if (bits < width) break;
      const code = held & ((1 << width) - 1);
      held >>>= width;
      bits -= width;
      if (code === clear) {
        [width, next, last] = [size + 1, clear + 2, -1];
        continue;
      }
      if (code === clear + 1) break;
      let entry = code;
      if (last >= 0 && code >= next) {
        stack.push(first);
        entry = last;
      }
      for (; entry >= clear; entry = prefix[entry]) stack.push(suffix[entry]);
      first = suffix[entry];
      stack.push(first);
      while (stack.length) out[place++] = stack.pop();
      if (last >= 0 && next < 4096) {
        prefix[next] = last;
        suffix[next] = first;
        next += 1;
        if (next === 1 << width && width < 12) width += 1;
      }
      last = code;
    }
    return out;
  };

  const parsed = (uri) => {
    const text = atob(uri.slice(uri.indexOf(",") + 1));
    const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    const word = (i) => bytes[i] + 256 * bytes[i + 1];
    const colours = (i, flags) => (
      flags & 128 ? bytes.subarray(i, i + 3 * (2 << (flags & 7))) : new Uint8Array()
    );
    const shared = colours(13, bytes[10]), frames = [];
    let at = 13 + shared.length, control = { disposal: 0, clear: -1, delay: 8 };
    const block = () => {
      const parts = [];
      for (; bytes[at]; at += bytes[at] + 1) {
        parts.push(...bytes.subarray(at + 1, at + 1 + bytes[at]));
      }
      at += 1;
      return parts;
    };
    while (at < bytes.length && bytes[at] !== 0x3b) {
      if (bytes[at] === 0x21) {
        const kind = bytes[at + 1];
        at += 2;
        const [flags, low, high, clear] = block();
        if (kind === 0xf9) {
          const delay = low + 256 * high;
          control = { disposal: (flags >> 2) & 7, clear: flags & 1 ? clear : -1, delay };
        }
      } else {
        const [left, top, width, height] = [1, 3, 5, 7].map((i) => word(at + i));
        const flags = bytes[at + 9], own = colours(at + 10, flags);
        at += 11 + own.length;
        const size = bytes[at - 1];
        frames.push({
          left, top, width, height, woven: Boolean(flags & 64), size, data: block(),
          colours: own.length ? own : shared, ...control,
        });
      }
    }
    return { width: word(6), height: word(8), frames };
  };

  // The rows of a woven frame come in four passes.
  const rows = ({ woven, height }) => {
    const passes = woven ? [[0, 8], [4, 8], [2, 4], [1, 2]] : [[0, 1]], order = [];
    passes.forEach(([from, step]) => { for (let y = from; y < height; y += step) order.push(y); });
    return order;
  };

  // Opens a GIF's address of data on a canvas; `show` draws the frame of an index.
  return (canvas, uri) => {
    const { width, height, frames } = parsed(uri);
    [canvas.width, canvas.height] = [width, height];
    const paint = canvas.getContext("2d"), image = paint.createImageData(width, height);
    let drawn = -1;
    const seen = new Uint32Array(image.data.buffer);  // a pixel a number: alpha, blue, green, red
    const fill = (frame, palette) => rows(frame).forEach((y, row) => {
      let to = (frame.top + y) * width + frame.left, from = row * frame.width;
      for (const end = from + frame.width; from < end; from += 1, to += 1) {
        const value = frame.pixels[from];
        if (!palette) seen[to] = 0;
        else if (value !== frame.clear) seen[to] = palette[value];
      }
    });
    const palette = (c) => Uint32Array.from({ length: c.length / 3 }, (_, i) => (
      (255 << 24) | (c[3 * i + 2] << 16) | (c[3 * i + 1] << 8) | c[3 * i]
    ));
    return {
      count: frames.length,
      milliseconds: (index) => 10 * frames[index].delay,
      show: (index) => {
        if (index < drawn) {
          seen.fill(0);
          drawn = -1;
        }
        while (drawn < index) {
          if (drawn >= 0 && frames[drawn].disposal === 2) fill(frames[drawn], null);
          drawn += 1;
          const frame = frames[drawn];
          frame.pixels ??= unpacked(frame.data, frame.size, frame.width * frame.height);
          fill(frame, palette(frame.colours));
        }
        paint.putImageData(image, 0, 0);
      },
    };
  };
})();

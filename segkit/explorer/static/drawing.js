// Pictures on a canvas: grey values, contours or fills of objects, at any zoom.

const DARK = 0xff1e1e1e;

/** Colours as numbers of a little-endian canvas. */
export function palette(colours) {
  return Uint32Array.from([0, ...colours.map(([r, g, b]) => 0xff000000 | (b << 16) | (g << 8) | r)]
    .map((colour) => colour >>> 0));
}

/** For each place on the screen, the row or column of the data that lies there; -1 for none. */
function places(count, centre, zoom, [start, stop], length) {
  const found = new Int32Array(count);
  const factor = (stop - start) / length;
  for (let k = 0; k < count; k += 1) {
    const at = Math.floor((centre + (k + 0.5 - count / 2) / zoom - start) / factor);
    found[k] = at >= 0 && at < length ? at : -1;
  }
  return found;
}

/**
 * Draw what was answered on a canvas.
 * @param {CanvasRenderingContext2D} context
 * @param {object} data Arrays by name, `size` [rows, columns], `box` of rows and columns in
 *   full resolution.
 * @param {object} view `centre` [row, column], `zoom` [down, across] in pixels per voxel.
 * @param {object} how `under`: name of the grey array, or null; `contours`, `fill` (0 to 1);
 *   `colours`: of the palette; `chosen`: the id of an object, or 0.
 */
export function draw(context, data, view, how) {
  const { width, height } = context.canvas;
  const picture = context.createImageData(width, height);
  const out = new Uint32Array(picture.data.buffer);
  const [length, across] = data.size;
  const rows = places(height, view.centre[0], view.zoom[0], data.box[0], length);
  const columns = places(width, view.centre[1], view.zoom[1], data.box[1], across);
  const grey = how.under ? data.arrays[how.under] : null;
  paintGrey(out, grey, rows, columns, across);
  const objects = how.contours || how.fill ? data.arrays[how.objects ?? "objects"] : null;
  const numbers = how.objects ? null : data.arrays.colours;
  if (objects) paintObjects(out, objects, rows, columns, across, numbers, how);
  context.putImageData(picture, 0, 0);
}

function paintGrey(out, grey, rows, columns, across) {
  const width = columns.length;
  for (let y = 0; y < rows.length; y += 1) {
    const at = y * width;
    if (rows[y] < 0) {
      out.fill(DARK, at, at + width);
      continue;
    }
    const row = rows[y] * across;
    for (let x = 0; x < width; x += 1) {
      if (columns[x] < 0) out[at + x] = DARK;
      else {
        const level = grey ? grey[row + columns[x]] : 0x1e;
        out[at + x] = 0xff000000 | (level << 16) | (level << 8) | level;
      }
    }
  }
}

function idsOf(line, objects, row, columns, across) {
  if (row < 0) return line.fill(0);
  const start = row * across;
  for (let x = 0; x < columns.length; x += 1) line[x] = columns[x] < 0 ? 0 : objects[start + columns[x]];
  return line;
}

function paintObjects(out, objects, rows, columns, across, numbers, how) {
  const width = columns.length;
  const share = Math.round(256 * how.fill);
  const plain = how.colours.length - 1; // of a mask, which is one object
  let [before, line, after] = [0, 1, 2].map(() => new Uint32Array(width));
  before.fill(0);
  idsOf(line, objects, rows[0], columns, across);
  for (let y = 0; y < rows.length; y += 1) {
    idsOf(after, objects, y + 1 < rows.length ? rows[y + 1] : -1, columns, across);
    const at = y * width;
    for (let x = 0; x < width; x += 1) {
      const id = line[x];
      if (id === 0) continue;
      const rim = how.contours && (before[x] !== id || after[x] !== id
        || line[x - 1] !== id || line[x + 1] !== id);
      if (id === how.chosen) {
        if (rim) out[at + x] = 0xffffffff;
        else out[at + x] = mixed(out[at + x], 0xffffffff, 64);
      } else if (rim) {
        out[at + x] = how.colours[numbers ? numbers[id] : plain];
      } else if (share) {
        out[at + x] = mixed(out[at + x], how.colours[numbers ? numbers[id] : plain], share);
      }
    }
    [before, line, after] = [line, after, before];
  }
}

function mixed(under, over, share) {
  const rest = 256 - share;
  const red = ((under & 0xff) * rest + (over & 0xff) * share) >> 8;
  const green = (((under >> 8) & 0xff) * rest + ((over >> 8) & 0xff) * share) >> 8;
  const blue = (((under >> 16) & 0xff) * rest + ((over >> 16) & 0xff) * share) >> 8;
  return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
}

/** Draw the seeds of a step over a picture, and the crosshair. */
export function drawMarks(context, { strokes, cross }, view, colours, axes) {
  const { width, height } = context.canvas;
  const [down, across] = axes;
  const place = (point) => [
    width / 2 + (point[across] + 0.5 - view.centre[1]) * view.zoom[1],
    height / 2 + (point[down] + 0.5 - view.centre[0]) * view.zoom[0],
  ];
  context.lineCap = context.lineJoin = "round";
  for (const stroke of strokes) {
    context.strokeStyle = colours[stroke.label % colours.length] ?? "#000";
    context.lineWidth = Math.max(2, 2 * (stroke.radius ?? 1) * view.zoom[1]);
    context.beginPath();
    stroke.points.forEach((point, k) => context[k ? "lineTo" : "moveTo"](...place(point)));
    if (stroke.points.length === 1) context.lineTo(...place(stroke.points[0]));
    context.stroke();
  }
  if (cross) {
    const [x, y] = place(cross);
    context.strokeStyle = "#ffffffb0";
    context.lineWidth = 1;
    context.beginPath();
    for (const [a, b] of [[4, 12], [-12, -4]]) {
      context.moveTo(x + a, y);
      context.lineTo(x + b, y);
      context.moveTo(x, y + a);
      context.lineTo(x, y + b);
    }
    context.stroke();
  }
}

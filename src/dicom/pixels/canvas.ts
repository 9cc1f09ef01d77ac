/**
 * A field of numbers over the image plane, in millimetres about the middle: x to the right, y down. Phantoms paint
 * shapes on it from the back to the front; what the numbers mean is theirs.
 */
export class Canvas {
  readonly width: number;
  readonly height: number;
  readonly pixelMm: number;
  readonly values: Float32Array;

  constructor(width: number, height: number, pixelMm: number, value = 0) {
    this.width = width;
    this.height = height;
    this.pixelMm = pixelMm;
    this.values = new Float32Array(width * height).fill(value);
  }

  /** Millimetres of a column's centre. */
  x(column: number): number {
    return (column - (this.width - 1) / 2) * this.pixelMm;
  }

  y(row: number): number {
    return (row - (this.height - 1) / 2) * this.pixelMm;
  }

  /** Calls `paint` with the index of each pixel in a box and its place; the box is cut to the canvas. */
  box(
    [left, top, right, bottom]: readonly [number, number, number, number],
    paint: (index: number, x: number, y: number) => void,
  ): void {
    const [firstColumn, endColumn] = this.columnSpan(left, right);
    const [firstRow, endRow] = this.rowSpan(top, bottom);
    for (let row = firstRow; row < endRow; row++) {
      const y = this.y(row);
      for (let column = firstColumn; column < endColumn; column++)
        paint(row * this.width + column, this.x(column), y);
    }
  }

  /** The columns whose centres lie between two places: the first, and the one after the last. */
  columnSpan(left: number, right: number): [number, number] {
    return span(left / this.pixelMm, right / this.pixelMm, this.width);
  }

  rowSpan(top: number, bottom: number): [number, number] {
    return span(top / this.pixelMm, bottom / this.pixelMm, this.height);
  }

  /** Every pixel, with its place. */
  all(paint: (index: number, x: number, y: number) => void): void {
    this.box([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e9, 1e9], paint);
  }

  /**
   * Adds the thickness of an ellipsoid, seen from the front: `amount` in the middle, 0 at the rim. `angle` in
   * radians, clockwise.
   */
  addEllipsoid(cx: number, cy: number, rx: number, ry: number, amount: number, angle = 0): void {
    this.ellipse(cx, cy, rx, ry, angle, (index, d2) => {
      this.values[index]! += amount * Math.sqrt(1 - d2);
    });
  }

  /** Adds `amount` inside an ellipse, falling off smoothly over the outer `softness` (0 to 1) of its radius. */
  addEllipse(
    cx: number,
    cy: number,
    rx: number,
    ry: number,
    amount: number,
    angle = 0,
    softness = 0.1,
  ): void {
    this.ellipse(cx, cy, rx, ry, angle, (index, d2) => {
      this.values[index]! += amount * Math.min(1, (1 - Math.sqrt(d2)) / softness);
    });
  }

  /** Visits the pixels of an ellipse with the square of their relative distance from its centre. */
  ellipse(
    cx: number,
    cy: number,
    rx: number,
    ry: number,
    angle: number,
    paint: (index: number, d2: number) => void,
  ): void {
    const cos = Math.cos(angle);
    const sin = Math.sin(angle);
    const reachX = Math.hypot(rx * cos, ry * sin);
    const reachY = Math.hypot(rx * sin, ry * cos);
    this.box([cx - reachX, cy - reachY, cx + reachX, cy + reachY], (index, x, y) => {
      const dx = x - cx;
      const dy = y - cy;
      const u = (dx * cos + dy * sin) / rx;
      const v = (dy * cos - dx * sin) / ry;
      const d2 = u * u + v * v;
      if (d2 < 1) paint(index, d2);
    });
  }

  /**
   * Adds a tube along a line of points `[x, y, radius]`: its wall brighter than its inside, as bone has it.
   * @param wall share of `amount` that the wall has over the inside, 0 for a solid rod
   */
  addTube(points: readonly (readonly [number, number, number])[], amount: number, wall = 0.5): void {
    // Where segments of one tube overlap, the larger value holds.
    const depth = new Float32Array(this.values.length);
    for (let i = 0; i + 1 < points.length; i++)
      this.tubeSegment(points[i]!, points[i + 1]!, amount, wall, depth);
    for (let i = 0; i < depth.length; i++) this.values[i]! += depth[i]!;
  }

  private tubeSegment(
    [ax, ay, ar]: readonly [number, number, number],
    [bx, by, br]: readonly [number, number, number],
    amount: number,
    wall: number,
    depth: Float32Array,
  ): void {
    const dx = bx - ax;
    const dy = by - ay;
    const length2 = dx * dx + dy * dy || 1;
    const reach = Math.max(ar, br);
    const box = [
      Math.min(ax, bx) - reach,
      Math.min(ay, by) - reach,
      Math.max(ax, bx) + reach,
      Math.max(ay, by) + reach,
    ] as const;
    this.box(box, (index, x, y) => {
      const along = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length2));
      const radius = ar + (br - ar) * along;
      const d = Math.hypot(x - ax - dx * along, y - ay - dy * along) / radius;
      if (d >= 1) return;
      // Chord through a hollow cylinder: thick where the ray runs along the wall.
      const chord = Math.sqrt(1 - d * d) - wall * Math.sqrt(Math.max(0, 0.55 - d * d));
      const value = amount * chord * Math.min(1, (1 - d) / 0.08);
      depth[index] = amount < 0 ? Math.min(depth[index]!, value) : Math.max(depth[index]!, value);
    });
  }

  /** Three passes of a box filter, near to a Gaussian of the same width; in place. */
  blur(radiusMm: number): void {
    const radius = Math.round(radiusMm / this.pixelMm);
    if (radius < 1) return;
    const line = new Float32Array(Math.max(this.width, this.height));
    for (let pass = 0; pass < 2; pass++) {
      for (let row = 0; row < this.height; row++)
        boxFilter(this.values, row * this.width, 1, this.width, radius, line);
      for (let column = 0; column < this.width; column++)
        boxFilter(this.values, column, this.width, this.height, radius, line);
    }
  }
}

function span(from: number, to: number, size: number): [number, number] {
  const middle = (size - 1) / 2;
  return [Math.max(0, Math.ceil(from + middle)), Math.min(size, Math.floor(to + middle) + 1)];
}

function boxFilter(
  values: Float32Array,
  start: number,
  step: number,
  count: number,
  radius: number,
  line: Float32Array,
): void {
  for (let i = 0; i < count; i++) line[i] = values[start + i * step]!;
  const at = (i: number): number => line[i < 0 ? 0 : i >= count ? count - 1 : i]!;
  let sum = 0;
  for (let i = -radius; i <= radius; i++) sum += at(i);
  const scale = 1 / (2 * radius + 1);
  for (let i = 0; i < count; i++) {
    values[start + i * step] = sum * scale;
    sum += at(i + radius + 1) - at(i - radius);
  }
}

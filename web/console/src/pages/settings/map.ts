// Where things lie on a canvas: Mercator's projection, what is seen, how it is zoomed, and which lie so near that they are drawn as one.

export type At = { lat: number; lon: number };
export type Size = { width: number; height: number };
/** The middle of what is seen, and pixels for each degree of longitude. */
export type View = At & { scale: number };

const LAT_MAX = 85;
export const SCALE_MIN = 2;
export const SCALE_MAX = 400_000;
const rad = Math.PI / 180;
const clamp = (value: number, least: number, most: number) => Math.min(most, Math.max(least, value));

/** Mercator's ordinate of a latitude, in degrees; and back. */
const up = (lat: number) => Math.log(Math.tan(Math.PI / 4 + (clamp(lat, -LAT_MAX, LAT_MAX) * rad) / 2)) / rad;
const down = (y: number) => (2 * Math.atan(Math.exp(y * rad)) - Math.PI / 2) / rad;

export const toPixel = (view: View, size: Size, at: At): [number, number] => [size.width / 2 + (at.lon - view.lon) * view.scale, size.height / 2 - (up(at.lat) - up(view.lat)) * view.scale];
export const fromPixel = (view: View, size: Size, [x, y]: [number, number]): At => ({ lat: down(up(view.lat) - (y - size.height / 2) / view.scale), lon: view.lon + (x - size.width / 2) / view.scale });

/** All of them with room around; of one the neighbourhood, of none the world. */
export function fit(all: readonly At[], size: Size): View {
  if (all.length === 0) return { lat: 20, lon: 0, scale: Math.max(SCALE_MIN, size.width / 360) };
  const [west, east] = [Math.min(...all.map((one) => one.lon)), Math.max(...all.map((one) => one.lon))];
  const [south, north] = [Math.min(...all.map((one) => up(one.lat))), Math.max(...all.map((one) => up(one.lat)))];
  const room = (pixels: number, span: number) => (pixels * 0.78) / Math.max(span, 0.02);
  return { lat: down((south + north) / 2), lon: (west + east) / 2, scale: clamp(Math.min(room(size.width, east - west), room(size.height, north - south)), SCALE_MIN, SCALE_MAX) };
}

export function moved(view: View, [dx, dy]: [number, number]): View {
  return { lat: clamp(down(up(view.lat) + dy / view.scale), -LAT_MAX, LAT_MAX), lon: clamp(view.lon - dx / view.scale, -180, 180), scale: view.scale };
}

/** Nearer or farther by a factor; what lies under the pixel stays under it. */
export function zoomed(view: View, size: Size, factor: number, [x, y]: [number, number] = [size.width / 2, size.height / 2]): View {
  const scale = clamp(view.scale * factor, SCALE_MIN, SCALE_MAX);
  const under = fromPixel(view, size, [x, y]);
  const [nx, ny] = toPixel({ ...view, scale }, size, under);
  return moved({ ...view, scale }, [x - nx, y - ny]);
}

export type Group<T> = { x: number; y: number; of: T[] };
/** What is seen, with those that lie on one another drawn as one: never more than the canvas has cells. */
export function grouped<T extends At>(all: readonly T[], view: View, size: Size, cell = 22): Group<T>[] {
  const cells = new Map<string, Group<T>>();
  for (const one of all) {
    const [x, y] = toPixel(view, size, one);
    if (x < -cell || y < -cell || x > size.width + cell || y > size.height + cell) continue;
    // Cells lie still under what is dragged: they count from the middle of the world.
    const key = `${Math.floor((one.lon * view.scale) / cell)} ${Math.floor((up(one.lat) * view.scale) / cell)}`;
    const group = cells.get(key);
    if (group) {
      const n = group.of.push(one);
      group.x += (x - group.x) / n;
      group.y += (y - group.y) / n;
    } else cells.set(key, { x, y, of: [one] });
  }
  // What lies in two cells and still touches is one, too.
  const apart: Group<T>[] = [];
  const near = new Map<string, Group<T>[]>();
  const place = (x: number, y: number) => `${Math.floor(x / cell)} ${Math.floor(y / cell)}`;
  for (const group of [...cells.values()].sort((a, b) => b.of.length - a.of.length)) {
    const around = [-1, 0, 1].flatMap((dx) => [-1, 0, 1].flatMap((dy) => near.get(place(group.x + dx * cell, group.y + dy * cell)) ?? []));
    const touched = around.find((one) => Math.hypot(one.x - group.x, one.y - group.y) < cell);
    if (touched) {
      touched.of.push(...group.of);
      continue;
    }
    apart.push(group);
    const key = place(group.x, group.y);
    near.set(key, [...(near.get(key) ?? []), group]);
  }
  return apart;
}

const STEPS = [30, 15, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002];
/** Degrees between lines of the grid: as fine as leaves at least 96 pixels between them. */
export const gridStep = (scale: number): number => [...STEPS].reverse().find((step) => step * scale >= 96) ?? 30;

/** Lines of the grid that are seen, each with its place and its degrees. */
export function grid(view: View, size: Size): { lons: [number, number][]; lats: [number, number][]; digits: number } {
  const step = gridStep(view.scale);
  const [west, east] = [fromPixel(view, size, [0, 0]).lon, fromPixel(view, size, [size.width, 0]).lon];
  const [north, south] = [fromPixel(view, size, [0, 0]).lat, fromPixel(view, size, [0, size.height]).lat];
  const between = (from: number, to: number) => Array.from({ length: Math.max(0, Math.min(60, Math.floor(to / step) - Math.ceil(from / step) + 1)) }, (_, at) => (Math.ceil(from / step) + at) * step);
  return {
    lons: between(Math.max(-180, west), Math.min(180, east)).map((lon) => [toPixel(view, size, { lat: view.lat, lon })[0], lon]),
    lats: between(Math.max(-LAT_MAX, south), Math.min(LAT_MAX, north)).map((lat) => [toPixel(view, size, { lat, lon: view.lon })[1], lat]),
    digits: Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)),
  };
}

/** A round distance in metres that is at most so many pixels long here, and how long it is. */
export function ruler(view: View, most = 110): { metres: number; pixels: number } {
  const metresPerPixel = (111_195 * Math.cos(view.lat * rad)) / view.scale;
  const all = metresPerPixel * most;
  const power = 10 ** Math.floor(Math.log10(all));
  const metres = [5, 2, 1].map((n) => n * power).find((n) => n <= all) ?? power;
  return { metres, pixels: metres / metresPerPixel };
}

/** As it stands in the address: `31.82031,117.22411,5200`. */
export const viewSaid = ({ lat, lon, scale }: View): string => `${lat.toFixed(5)},${lon.toFixed(5)},${Math.round(scale)}`;
export function viewRead(text: string): View | undefined {
  const [lat, lon, scale, ...more] = text.split(",").map(Number);
  if (lat === undefined || lon === undefined || scale === undefined || more.length > 0 || ![lat, lon, scale].every(Number.isFinite) || text.trim() === "") return undefined;
  return { lat: clamp(lat, -LAT_MAX, LAT_MAX), lon: clamp(lon, -180, 180), scale: clamp(scale, SCALE_MIN, SCALE_MAX) };
}

// The canvas of coordinates: what is under a pixel stays there, what is seen is all of it, and what it draws is bounded.
import fc from "fast-check";
import { expect, test } from "vitest";
import { fit, fromPixel, grid, grouped, gridStep, moved, ruler, SCALE_MAX, SCALE_MIN, toPixel, viewRead, viewSaid, zoomed } from "../src/pages/settings/map";

const size = { width: 900, height: 520 };
const degree = (most: number) => fc.double({ min: -most, max: most, noNaN: true });
const at = fc.record({ lat: degree(80), lon: degree(170) });
const view = fc.record({ lat: degree(80), lon: degree(170), scale: fc.double({ min: SCALE_MIN, max: SCALE_MAX, noNaN: true }) });

test("a pixel is a point and back", () => {
  fc.assert(
    fc.property(view, fc.integer({ min: 0, max: 900 }), fc.integer({ min: 0, max: 520 }), (seen, x, y) => {
      const point = fromPixel(seen, size, [x, y]);
      fc.pre(Math.abs(point.lat) < 84.9);
      const [bx, by] = toPixel(seen, size, point);
      expect(bx).toBeCloseTo(x, 2);
      expect(by).toBeCloseTo(y, 2);
    }),
    { seed: 20, numRuns: 400 },
  );
});

test("what lies under the pixel that one zooms at stays under it", () => {
  const near = fc.record({ lat: degree(60), lon: degree(120), scale: fc.double({ min: 60, max: 50_000, noNaN: true }) });
  fc.assert(
    fc.property(near, fc.double({ min: 0.5, max: 4, noNaN: true }), fc.integer({ min: 0, max: 900 }), fc.integer({ min: 0, max: 520 }), (seen, factor, x, y) => {
      const point = fromPixel(seen, size, [x, y]);
      fc.pre(Math.abs(point.lat) < 80 && Math.abs(point.lon) < 170);
      const [nx, ny] = toPixel(zoomed(seen, size, factor, [x, y]), size, point);
      expect(nx).toBeCloseTo(x, 1);
      expect(ny).toBeCloseTo(y, 1);
    }),
    { seed: 21, numRuns: 400 },
  );
});

test("all stores are seen where nobody chose what is", () => {
  fc.assert(
    fc.property(fc.array(at, { minLength: 1, maxLength: 50 }), (all) => {
      const seen = fit(all, size);
      // Far apart the least scale may not be enough.
      fc.pre(seen.scale > SCALE_MIN);
      for (const one of all) {
        const [x, y] = toPixel(seen, size, one);
        expect(x > 0 && x < size.width && y > 0 && y < size.height).toBe(true);
      }
    }),
    { seed: 22, numRuns: 300 },
  );
  expect(fit([], size).scale).toBeGreaterThanOrEqual(SCALE_MIN);
});

test("each store that is seen is drawn once, alone or in a group, and there are never more than cells", () => {
  const many = Array.from({ length: 20_000 }, (_, n) => ({ lat: 20 + ((n * 7919) % 20_000) / 1000, lon: 100 + ((n * 104_729) % 20_000) / 1000, id: n }));
  const seen = fit(many, size);
  const groups = grouped(many, seen, size);
  expect(groups.reduce((sum, group) => sum + group.of.length, 0)).toBe(many.length);
  expect(groups.length).toBeLessThan((900 / 22 + 3) * (520 / 22 + 3));
  for (const a of groups) for (const b of groups) if (a !== b) expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThanOrEqual(22);
  const [one] = grouped(many.slice(0, 1), seen, size);
  expect([one?.x, one?.y]).toEqual(toPixel(seen, size, many[0] as { lat: number; lon: number }));
});

test("the grid is neither crowded nor empty, and the ruler is a round number that fits", () => {
  fc.assert(
    fc.property(view, (seen) => {
      const step = gridStep(seen.scale);
      expect(step * seen.scale >= 96 || step === 30).toBe(true);
      const { lons, lats } = grid(seen, size);
      expect(lons.length).toBeLessThanOrEqual(16);
      expect(lats.length).toBeLessThanOrEqual(60);
      const { metres, pixels } = ruler(seen);
      expect(pixels).toBeLessThanOrEqual(110.001);
      expect(pixels).toBeGreaterThan(40);
      expect(String(metres / 10 ** Math.floor(Math.log10(metres) + 1e-9))).toMatch(/^(1|2|5)(\.0*\d*)?$/);
    }),
    { seed: 23, numRuns: 400 },
  );
});

test("what is seen is kept in the address; what is none there is not taken", () => {
  expect(viewRead(viewSaid({ lat: 31.82031, lon: 117.22411, scale: 5200 }))).toEqual({ lat: 31.82031, lon: 117.22411, scale: 5200 });
  for (const none of ["", "1", "a,b,c", "1,2", "1,2,3,4", "1,2,NaN"]) expect(viewRead(none), none).toBeUndefined();
  expect(viewRead("99,200,0")).toEqual({ lat: 85, lon: 180, scale: SCALE_MIN });
  expect(moved({ lat: 0, lon: 0, scale: 10 }, [10, 0]).lon).toBe(-1);
});

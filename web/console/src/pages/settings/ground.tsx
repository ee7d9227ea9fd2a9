// What lies under the stores on their canvas. Here it is degrees, which nobody has to be asked for. A provider of maps is another `Ground`: it
// draws its own under the same view, and the policy of the home has to let its pictures in (`img-src`).
import type { ReactNode } from "react";
import { grid, type Size, type View } from "./map";

export type Ground = {
  /** Who is to be named for it, where somebody is. */
  says: string;
  /** Drawn as SVG under the stores. Positions are in WGS-84: a provider that draws in GCJ-02 or BD-09 converts them. */
  draw: (view: View, size: Size) => ReactNode;
};

const degrees = (value: number, digits: number, [more, less]: [string, string]) => `${Math.abs(value).toFixed(digits)}° ${value < 0 ? less : more}`;

export const plain: Ground = {
  says: "",
  draw: (view, size) => {
    const { lons, lats, digits } = grid(view, size);
    return (
      <g className="map-grid">
        {lons.map(([x, lon]) => (
          <g key={lon}>
            <line x1={x} x2={x} y1={0} y2={size.height} />
            <text x={x + 4} y={size.height - 6}>
              {degrees(lon, digits, ["E", "W"])}
            </text>
          </g>
        ))}
        {lats.map(([y, lat]) => (
          <g key={lat}>
            <line x1={0} x2={size.width} y1={y} y2={y} />
            <text x={6} y={y - 4}>
              {degrees(lat, digits, ["N", "S"])}
            </text>
          </g>
        ))}
      </g>
    );
  },
};

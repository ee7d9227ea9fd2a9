// A QR code, drawn here: what it holds goes nowhere. Black on white in either light, as cameras want it.
import { encode } from "uqr";
import { useMemo } from "react";

export default function Qr({ of, says, size = 176 }: { of: string; says: string; size?: number }) {
  const { data, size: n } = useMemo(() => encode(of, { ecc: "M", border: 4 }), [of]);
  const path = useMemo(() => data.flatMap((line, y) => line.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join(""), [data]);
  return (
    <svg width={size} height={size} viewBox={`0 0 ${n} ${n}`} role="img" aria-label={says} shapeRendering="crispEdges" style={{ borderRadius: 8, border: "1px solid var(--line)", background: "#fff", maxWidth: "100%" }}>
      <path d={path} fill="#000" />
    </svg>
  );
}

// A form that is on its way to the home: whether it is, and what came of it if it was refused.
import { useState } from "react";

export function useSaving(): { busy: boolean; error: unknown; save: (doing: () => Promise<void>) => Promise<void> } {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const save = async (doing: () => Promise<void>) => {
    setBusy(true);
    setError(undefined);
    try {
      await doing();
    } catch (wrong) {
      setError(wrong);
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, save };
}

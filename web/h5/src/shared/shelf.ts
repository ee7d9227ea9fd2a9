// The queue in the browser's own database. Where that is refused (a private window), it is said: nothing is taken that would be lost.
import type { Shelf, Waiting } from "./queue";

const open = (): Promise<IDBDatabase> =>
  new Promise((done, fail) => {
    const asked = indexedDB.open("zhiyin-pos", 1);
    asked.onupgradeneeded = () => void asked.result.createObjectStore("waiting", { keyPath: "id" });
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => fail(asked.error);
  });
let db: Promise<IDBDatabase> | undefined;

async function within<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  db ??= open();
  let opened: IDBDatabase;
  try {
    opened = await db;
  } catch (error) {
    db = undefined;
    throw error;
  }
  return await new Promise<T>((done, fail) => {
    // On disk before it counts as kept.
    const transaction = opened.transaction("waiting", mode, { durability: "strict" });
    const asked = act(transaction.objectStore("waiting"));
    transaction.oncomplete = () => done(asked.result);
    transaction.onabort = transaction.onerror = () => fail(transaction.error);
  });
}

export const shelf: Shelf = {
  all: () => within<Waiting[]>("readonly", (store) => store.getAll() as IDBRequest<Waiting[]>),
  put: async (one) => void (await within("readwrite", (store) => store.put(one))),
  remove: async (id) => void (await within("readwrite", (store) => store.delete(id))),
};

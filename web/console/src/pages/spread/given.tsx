// What is given to staff through an account of the brand's: what was, as a list that is read anew; one of it, or a new one, beside it.
import type { UseQueryResult } from "@tanstack/react-query";
import { Button, Drawer } from "antd";
import type { ReactNode } from "react";
import { Listed } from "../../parts/listed";
import { Card } from "../../parts/page";
import { Asked, None } from "../../parts/states";
import type { Column } from "../../parts/table";
import { useAddress } from "../../router";
import { Accounts, useAccount } from "./accounts";

export type GivenSaid = { title: string; make: string; none: string; none_say: string; one: string };

export function Given<Row>({
  of,
  name,
  list,
  said,
  id,
  columns,
  size,
  one,
  make,
}: {
  /** Under which name the address holds which is open. */
  of: string;
  /** Of the list: of its file, and of its views. */
  name: string;
  list: UseQueryResult<{ items: Row[] }>;
  said: GivenSaid;
  id: (row: Row) => string;
  /** After the first, which is what each is called by. */
  columns: Column<Row>[];
  size: number;
  one: (id: string, account: string) => ReactNode;
  make: (account: string, made: (id: string) => void) => ReactNode;
}) {
  const [address, setAddress] = useAddress();
  const account = useAccount();
  const open = address[of] ?? "";
  const go = (to: string) => setAddress({ [of]: to });
  const button = (
    <Button type="primary" onClick={() => go("new")}>
      {said.make}
    </Button>
  );
  const first: Column<Row> = {
    key: of,
    title: said.one,
    by: id,
    text: id,
    cell: (row) => (
      <button type="button" className="plain" style={{ fontWeight: 500 }} onClick={() => go(id(row))}>
        {id(row)}
      </button>
    ),
  };
  return (
    <>
      <Asked of={list}>
        {({ items }) => (
          <Card flush>
            {items.length === 0 ? (
              <>
                <div className="list-bar">
                  <Accounts />
                </div>
                <None title={said.none} action={button}>
                  {said.none_say}
                </None>
              </>
            ) : (
              <Listed
                name={name}
                views={["tab", "find", "sort", "account"]}
                label={said.title}
                rows={items}
                id={id}
                open={(row) => go(id(row))}
                tools={
                  <>
                    <Accounts />
                    {button}
                  </>
                }
                columns={[first, ...columns]}
              />
            )}
          </Card>
        )}
      </Asked>
      <Drawer open={open !== ""} onClose={() => go("")} title={open === "new" ? said.make : open} size={size} destroyOnHidden>
        {open === "new"
          ? make(account, (made) => {
              void list.refetch();
              go(made);
            })
          : open
            ? one(open, account)
            : null}
      </Drawer>
    </>
  );
}

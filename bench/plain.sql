-- The plain baseline: one order, one transaction, as a good engineer would write it by hand. It keeps the
-- message once, locks the member, and books points and growth. Tables: plain-schema.sql. Run by pgbench:
-- `pgbench ADDRESS -n -M prepared -f plain.sql -D members=N -c 8 -j 2 -T 10`, a few seconds longer before
-- the first that counts: after a checkpoint each page is written to the log whole once.
--
-- The steps lie with the client, because rules do: what is earned depends on what was read. There is
-- one rule here (gold members earn double), no expiry, no refund, no lifecycle, no tags. All of it folded
-- into one statement is about twice as fast, and puts the rules into that statement.
\set member random(1, :members)
\set paid random(1000, 50000)
\set number 0
BEGIN;
INSERT INTO plain.messages_seen (source, message_id) VALUES ('shop', 'm-' || nextval('plain.messages'))
  ON CONFLICT DO NOTHING RETURNING substr(message_id, 3)::bigint AS number \aset
-- A message that was known ends here.
\if :number > 0
INSERT INTO plain.events (source, message_id, body) VALUES (
  'shop', 'm-' || :number,
  ('{"type": "track", "event": "Order Completed", "userId": "u' || :member || '", "timestamp": "2026-03-01T10-00-00Z", '
    '"context": {"library": {"name": "till", "version": "4.2"}, "locale": "zh-CN", "timezone": "Asia/Shanghai"}, '
    '"properties": {"order_id": "A-1000000001", "currency": "CNY", "total": ' || :paid || ', "store_id": "s17", "channel": "store", '
    '"products": [{"product_id": "p-20481", "quantity": 2, "price": 1290}, {"product_id": "p-11873", "quantity": 1, "price": 4500}]}}')::jsonb
) RETURNING id AS event \gset
SELECT CASE tier WHEN 'gold' THEN 2 ELSE 1 END AS times FROM plain.members WHERE id = :member FOR UPDATE \gset
\set growth :paid / 100
\set points :growth * :times
INSERT INTO plain.journal (member, asset, amount, event) VALUES (:member, 'points', :points, :event);
INSERT INTO plain.journal (member, asset, amount, event) VALUES (:member, 'growth', :growth, :event);
UPDATE plain.balances SET balance = balance + :points WHERE member = :member AND asset = 'points';
UPDATE plain.balances SET balance = balance + :growth WHERE member = :member AND asset = 'growth';
UPDATE plain.members SET points = points + :points, growth = growth + :growth, orders = orders + 1, paid = paid + :paid,
  tier = CASE WHEN growth + :growth >= 3000 THEN 'gold' WHEN growth + :growth >= 1000 THEN 'silver' ELSE 'regular' END,
  updated_at = now()
WHERE id = :member;
\endif
COMMIT;

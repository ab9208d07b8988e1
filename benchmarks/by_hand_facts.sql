-- What it costs to write the facts of the core path that the models keep as tables, which by_hand.sql
-- does not: it has no other reader for them. Copied from the models' own, so this is the writing
-- alone. The bench shows the ratio with and without.

create table order_lines as from build.intermediate.int_order_lines__valued;

create table orders as from build.intermediate.int_orders__valued;

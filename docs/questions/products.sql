-- Which categories do we sell?
select
    category,
    product_kind,
    count(*) as products
from facts.products
group by category, product_kind
order by category nulls last, product_kind
limit 20;

-- Which products have no cost?
-- Their lines have one all the same where the order line brings its own.
select
    product_id,
    product_name,
    category
from facts.products
where unit_cost is null
order by product_id
limit 20;

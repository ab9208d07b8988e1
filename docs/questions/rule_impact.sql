-- Whom did the new threshold move, and how much money with them?
-- No rows where no rule changed by the newest as-of, or where the change moved nobody.
select
    rule_impact.changed_on,
    dimensions.label_en as what,
    befores.label_en as before,
    afters.label_en as after,
    rule_impact.customers,
    rule_impact.net_revenue_12m
from rule_impact
inner join segment_labels as dimensions
    on
        dimensions.dimension = 'dimension'
        and rule_impact.dimension = dimensions.code
inner join segment_labels as befores
    on
        rule_impact.dimension = befores.dimension
        and rule_impact.from_segment = befores.code
inner join segment_labels as afters
    on
        rule_impact.dimension = afters.dimension
        and rule_impact.to_segment = afters.code
order by
    dimensions.sort_order asc,
    rule_impact.customers desc,
    rule_impact.rule_impact_id asc
limit 20;

-- Did it change any value tier?
select
    count(*) > 0 as has_changed_a_value_tier,
    coalesce(sum(customers), 0) as customers,
    coalesce(sum(net_revenue_12m), 0.00) as net_revenue_12m
from rule_impact
where dimension = 'value_tier';

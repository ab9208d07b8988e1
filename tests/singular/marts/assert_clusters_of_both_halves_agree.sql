-- Clusters fitted to two halves of the buyers agree on at least 85% of them (M2, setting
-- minimum_cluster_agreement). A warning and not an error: data without clear clusters are no
-- fault of the build, but whoever acts on clusters that do not repeat should know.
{{ config(severity='warn') }}

with

cluster_quality as (
    select * from {{ ref('cluster_quality') }}
)

select
    source,
    value as agreement,
    minimum
from cluster_quality
where measure = 'halves_agreement' and not is_met

select * from marts.main.segment_summary order by sort_order

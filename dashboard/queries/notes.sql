-- What a manager should know: feeds that are missing, and what is unknown for it.
select distinct note_en, note_zh from marts.main.segment_summary where note_en <> ''

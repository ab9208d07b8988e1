"""When jobs run by themselves. Off until switched on in Dagster's UI."""

from dagster import ScheduleDefinition

# After the night's deliveries, before the working day.
daily_refresh = ScheduleDefinition(
    name="daily_refresh", job_name="refresh", cron_schedule="0 4 * * *", execution_timezone="UTC"
)

"""The one code location: assembles assets, checks, jobs and resources, and nothing else."""

import json
import os

from dagster import Definitions, in_process_executor

from orchestration import contracts, dbt
from orchestration.assets import (
    built_assets,
    delivered_assets,
    mart_keys,
    published_assets,
    review_assets,
    triggers_assets,
)
from orchestration.home import PROJECT, home
from orchestration.jobs import jobs
from orchestration.lean_dagster import Dbt
from orchestration.schedules import schedules, this_environment
from orchestration.sensors import sensors

place = home()
environment = this_environment()
os.environ.update(dbt.environment(place))
manifest = dbt.prepare_manifest(place)
sources = contracts.load()

defs = Definitions(
    assets=[
        delivered_assets(sources),
        built_assets(manifest),
        published_assets(mart_keys(json.loads(manifest.read_text()))),
        triggers_assets(sources),
        review_assets(),
    ],
    jobs=jobs(sources),
    schedules=schedules(environment),
    sensors=sensors(environment, sources),
    executor=in_process_executor,
    resources={
        "dbt_cli": Dbt(
            project_dir=str(PROJECT),
            profiles_dir=str(PROJECT),
            dbt_executable=str(dbt.EXECUTABLE),
        )
    },
)

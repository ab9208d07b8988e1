"""The one code location: assembles assets, checks, jobs and resources, and nothing else."""

import json
import os

from dagster import AssetSelection, Definitions, define_asset_job, in_process_executor

from orchestration import contracts, dbt
from orchestration.assets import built_assets, delivered_assets, mart_keys, published_assets
from orchestration.home import PROJECT, home
from orchestration.lean_dagster import Dbt
from orchestration.schedules import daily_refresh

place = home()
os.environ.update(dbt.environment(place))
manifest = dbt.prepare_manifest(place)

refresh = define_asset_job(
    "refresh",
    selection=AssetSelection.all(),
    executor_def=in_process_executor,
    description="Take in what was delivered, build and test everything, publish if all passed.",
)

defs = Definitions(
    assets=[
        delivered_assets(contracts.load()),
        built_assets(manifest),
        published_assets(mart_keys(json.loads(manifest.read_text()))),
    ],
    jobs=[refresh],
    schedules=[daily_refresh],
    executor=in_process_executor,
    resources={
        "dbt_cli": Dbt(
            project_dir=str(PROJECT),
            profiles_dir=str(PROJECT),
            dbt_executable=str(dbt.EXECUTABLE),
        )
    },
)

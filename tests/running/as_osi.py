"""MetricFlow's own export of dbt's semantic manifest as Open Semantic Interchange (JSON), for its environment:

.venv/metricflow/bin/python tests/running/as_osi.py target/semantic_manifest.json metrics.osi.json
"""

import sys
from pathlib import Path

from metricflow.converters.msi_to_osi import MSIToOSIConverter
from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest

if __name__ == "__main__":
    manifest, file = map(Path, sys.argv[1:])
    converted = MSIToOSIConverter().convert(PydanticSemanticManifest.parse_raw(manifest.read_text()), "rfm_churn")
    if converted.issues:
        sys.exit(f"lost on the way: {converted.issues}")
    file.write_text(converted.output.to_osi_json())

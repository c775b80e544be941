#!/bin/sh
# Make build/monai: PyTorch and MONAI beside what the race itself imports, without TensorFlow.
# Usage: sh tools/make_monai.sh    (from the project's folder; .venv gives the Python)
set -eu

[ -e build/monai/.ready ] && exit 0
.venv/bin/python -m venv build/monai
echo "Installing PyTorch and MONAI into build/monai: some 6 GB."
build/monai/bin/python -m pip install --constraint constraints.txt \
    cloudpickle keras matplotlib monai pandas pillow pooch psutil scipy tabulate torch tqdm
touch build/monai/.ready

"""What pytest hands to every journey: a local cloud of its own."""

import os

import pytest

from cloud import Cloud

# Nobody's own AWS settings may decide what a journey does.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ.update(
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    AWS_EC2_METADATA_DISABLED="true",
)


@pytest.fixture
def cloud(request, tmp_path):
    """A server process that starts with the built-in stack and ends with the test."""
    with Cloud.start(request.node.name, tmp_path) as started:
        yield started

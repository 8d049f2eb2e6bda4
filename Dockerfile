# The `hours` command in an image: no build tools, no root, nothing to write to but /tmp and, where
# a volume is mounted there, /keeper, /kiosk, /board and /signer.
# Python is the version the tests run on.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# The environment has no pip of its own: the one outside fills it, and stays behind.
RUN python -m venv --without-pip /opt/hours
WORKDIR /src
COPY requirements.lock ./
RUN pip --python /opt/hours install --require-hashes -r requirements.lock
COPY pyproject.toml README.md ./
COPY dashboards dashboards
COPY hours hours
COPY ledger ledger
COPY producers producers
COPY streams streams
RUN pip --python /opt/hours install --no-deps --no-build-isolation . \
 && pip --python /opt/hours uninstall --yes hatchling editables \
 && mkdir /keeper /kiosk /board /signer

FROM python:3.11-slim-bookworm
COPY --from=build /opt/hours /opt/hours
# A new volume belongs to whom the folder that it covers belongs.
COPY --from=build --chown=10001:10001 /keeper /keeper
COPY --from=build --chown=10001:10001 /kiosk /kiosk
COPY --from=build --chown=10001:10001 /board /board
COPY --from=build --chown=10001:10001 /signer /signer
ENV PATH=/opt/hours/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOURS_HOME=/tmp/hours
USER 10001:10001
WORKDIR /tmp
ENTRYPOINT ["hours"]
CMD ["--help"]

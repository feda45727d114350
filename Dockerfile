# schoolbell as a web service: `docker compose up` starts Redis, the web application and two workers.
FROM python:3.12-slim AS build
WORKDIR /source
COPY . .
RUN python -m venv /opt/schoolbell && /opt/schoolbell/bin/pip install --no-cache-dir ".[service]"
# Kernels are compiled here, so that no job need wait for that and the root can be read-only.
RUN /opt/schoolbell/bin/schoolbell generate --courses 12 --out /tmp/warm.ectt \
    && cd /tmp && /opt/schoolbell/bin/schoolbell fit warm.ectt --time-limit 20 --quiet

FROM python:3.12-slim
RUN useradd --uid 10001 --create-home schoolbell && mkdir -m 700 /jobs && chown schoolbell /jobs
COPY --from=build /opt/schoolbell /opt/schoolbell
ENV PATH=/opt/schoolbell/bin:$PATH PYTHONUNBUFFERED=1
USER schoolbell
WORKDIR /tmp
VOLUME /jobs
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
CMD ["schoolbell", "serve", "--host", "0.0.0.0", "--folder", "/jobs"]

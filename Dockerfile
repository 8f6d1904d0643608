# Two images: `web` serves pages, API and predictions without torch; `worker` adds what training needs.
#   docker build --target web -t taxon-web .        docker build --target worker -t taxon-worker .
# A package index of your own (for example one with CPU builds of torch) goes in as a build argument.
FROM python:3.12-slim-bookworm AS web
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    DJANGO_SETTINGS_MODULE=config.settings TAXON_DATA_DIR=/data TAXON_HOST=0.0.0.0 PORT=8000 \
    PROMETHEUS_MULTIPROC_DIR=/tmp/taxon-metrics OMP_NUM_THREADS=1
RUN useradd --system --uid 10001 --create-home taxon && install -d -o taxon -g taxon -m 0750 /data
WORKDIR /srv/taxon
COPY requirements-web.txt ./
RUN pip install --requirement requirements-web.txt
COPY . .
RUN if ls locale/*/LC_MESSAGES/django.po >/dev/null 2>&1; then pybabel compile --domain django --directory locale; fi
USER taxon
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8000, timeout=4); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status >= 500)"]
CMD ["python", "-m", "gunicorn", "-c", "gunicorn.conf.py"]

FROM web AS worker
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
USER root
COPY requirements.txt ./
RUN pip install "$(grep '^torch==' requirements.txt)" --constraint requirements.txt && pip install --requirement requirements.txt
USER taxon
HEALTHCHECK NONE
CMD ["python", "manage.py", "rqworker", "bulk", "--worker-class", "jobs.worker.Worker", "--serializer", "rq.serializers.JSONSerializer"]

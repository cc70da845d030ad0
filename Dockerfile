# One image for web, worker and migrations (docker-compose.yml names the command of each).
FROM node:20-bookworm-slim AS viewer
WORKDIR /src/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY frontend/ ./
RUN npm run build

FROM python:3.11-slim-bookworm
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY requirements/runtime.txt requirements/runtime.txt
RUN pip install --no-cache-dir -r requirements/runtime.txt
COPY . .
COPY --from=viewer /src/frontend/dist frontend/dist
RUN pip install --no-cache-dir --no-deps --editable . \
 && useradd --system --create-home groundglass && mkdir /data && chown groundglass /data
USER groundglass
VOLUME /data
EXPOSE 8000
CMD ["python", "-m", "uvicorn", "webapp.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--lifespan", "off"]

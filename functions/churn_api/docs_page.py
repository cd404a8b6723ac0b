"""The page /docs: Swagger UI, with scripts and styles from this server, not from a network of others."""

from importlib.resources import files

from fastapi import FastAPI, Response
from fastapi.openapi.docs import get_swagger_ui_html

ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}


def add_docs(app: FastAPI) -> None:
    """Adds the page and what it loads, by relative paths: so it works wherever the API is mounted."""

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        script, style, icon = (f"docs/{name}" for name in ASSETS)
        return get_swagger_ui_html(
            openapi_url="openapi.json", title=app.title, swagger_js_url=script, swagger_css_url=style,
            swagger_favicon_url=icon,
        )  # fmt: skip

    for name, kind in ASSETS.items():
        _add_asset(app, name, kind)


def _add_asset(app: FastAPI, name: str, kind: str) -> None:
    @app.get(f"/docs/{name}", include_in_schema=False)
    async def asset() -> Response:
        content = (files("fastapi_offline") / "static" / name).read_bytes()
        return Response(content, media_type=kind, headers={"cache-control": "max-age=86400"})

"""What every page needs: the board's own files, and the choice of a language."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from dashboards.board.paths import local
from dashboards.board.refusing import no_such_thing
from dashboards.board.visiting import Visiting
from dashboards.board.words import Words

router = APIRouter()


@router.get("/static/{mark}/{name}", name="static")
def static(visit: Visiting, mark: str, name: str) -> Response:
    """A file whose address changes with its content, so that browsers may keep it for good."""
    file = visit.board.pages.files.get(name)
    if file is None:
        raise no_such_thing(Words("这个文件", "such file"))
    kept = "public, max-age=31536000, immutable" if mark == file.mark else "no-cache"
    headers = {"cache-control": kept, "etag": f'"{file.mark}"'}
    if visit.request.headers.get("if-none-match") == f'"{file.mark}"':
        return Response(None, 304, headers)
    return Response(file.content, 200, headers, file.media_type)


@router.post("/language", name="language")
def language(
    visit: Visiting, lang: Annotated[str, Form()], back: Annotated[str, Form()] = "/"
) -> Response:
    """From now on in this language."""
    response = visit.go(local(back))
    visit.board.cookies.set(response, "language", "en" if lang == "en" else "zh")
    return response

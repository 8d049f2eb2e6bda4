"""The board's routes, by what they are about. Each has a name, by which `rights` knows it."""

from fastapi import APIRouter

from dashboards.board.routes import (
    assessments,
    corrections,
    exceptions,
    explore,
    front,
    mine,
    public,
    signing_in,
    site,
)

ROUTERS: tuple[APIRouter, ...] = (
    site.router,
    signing_in.router,
    public.router,
    mine.router,
    front.router,
    explore.router,
    exceptions.router,
    assessments.router,
    corrections.router,
)

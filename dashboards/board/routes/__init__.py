"""The board's routes, by what they are about. Each has a name, by which `rights` knows it."""

from fastapi import APIRouter

from dashboards.board.routes import (
    accounts,
    activities,
    api,
    assessments,
    corrections,
    enrolling,
    evidence,
    exceptions,
    explore,
    front,
    importing,
    kiosks,
    mine,
    oidc,
    public,
    roster,
    signing_in,
    site,
)

ROUTERS: tuple[APIRouter, ...] = (
    site.router,
    signing_in.router,
    oidc.router,
    public.router,
    evidence.router,
    mine.router,
    front.router,
    explore.router,
    exceptions.router,
    assessments.router,
    activities.router,
    importing.router,
    enrolling.router,
    roster.router,
    kiosks.router,
    accounts.router,
    api.router,
    corrections.router,
)

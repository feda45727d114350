"""A backend of one's own that starts timetabling jobs and streams their progress."""

import os

from fastapi import FastAPI, UploadFile
from fastapi.responses import StreamingResponse
from schoolbell.runner.service import create_app

timetables = create_app(os.environ.get("JOBS", "jobs"), os.environ["REDIS_URL"])
service = timetables.state.service
app = FastAPI()
app.mount("/timetables", timetables)


@app.post("/generate")
def generate(instance: UploadFile) -> dict[str, str]:
    return {"job": service.start_job(instance.file.read(), time_limit=60).id}


@app.get("/progress/{job}")
async def progress(job: str) -> StreamingResponse:
    lines = (f"{one.progress:.1%} {one.message}\n" async for one in service.awatch(job))
    return StreamingResponse(lines, media_type="text/plain")

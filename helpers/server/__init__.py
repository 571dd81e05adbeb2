"""A web service that replaces the background of pictures: Django, a queue in the database, workers of their own.

    python -m helpers.server serve     # page, API and workers on http://127.0.0.1:8000

settings.py lists what can be set. A picture travels uploads.py (is it one, is it safe) → jobs.py (the queue) →
worker.py (the model) → views.py (who may have it).
"""

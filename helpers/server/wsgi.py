"""What a web server runs: `gunicorn helpers.server.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpers.server.settings")
application = get_wsgi_application()

from django.urls import path

from shop import views

urlpatterns = [
    path("sync/", views.sync_view),
    path("async/", views.async_view),
    path("orm/", views.orm),
    path("async-orm/", views.async_orm),
    path("stream/", views.stream),
    path("sync-stream/", views.sync_stream),
    path("signal/", views.signal),
    path("there-and-back/", views.there_and_back),
    path("state/", views.state),
]

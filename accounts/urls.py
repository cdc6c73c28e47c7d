"""Addresses of this room."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("login/", views.login, name="login"),
    path("logout/", views.logout, name="logout"),
    path("password/", views.password, name="password"),
    path("accounts/", views.account_list, name="accounts"),
    path("accounts/<int:pk>/active/", views.account_active, name="account_active"),
]

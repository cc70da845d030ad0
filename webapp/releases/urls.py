"""URLs of what people take away."""

from django.urls import path

from webapp.releases import views

app_name = "releases"
CAMPAIGN = "campaigns/<slug:slug>/exports/"
CASE = "campaigns/<slug:slug>/cases/<int:number>/exports/"

urlpatterns = [
    path(f"{CASE}nifti.zip", views.case_nifti, name="case_nifti"),
    path(f"{CASE}findings.seg.dcm", views.case_findings_seg, name="case_findings_seg"),
    path(f"{CASE}anatomy.seg.dcm", views.case_anatomy_seg, name="case_anatomy_seg"),
    path(f"{CASE}report.sr.dcm", views.case_report, name="case_report"),
    path(f"{CASE}report.pdf", views.case_report_pdf, name="case_report_pdf"),
    path(f"{CASE}measurements.csv", views.case_measurements, name="case_measurements"),
    path(f"{CAMPAIGN}nifti.zip", views.campaign_nifti, name="campaign_nifti"),
    path(f"{CAMPAIGN}seg.zip", views.campaign_seg, name="campaign_seg"),
    path(f"{CAMPAIGN}measurements.csv", views.campaign_measurements, name="campaign_measurements"),
]

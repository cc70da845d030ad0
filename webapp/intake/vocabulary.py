"""Ordinary words: what scanners, radiologists and this program write of anybody.

A word of a free text (a history, a comment) that stands here says nothing of whose it is. Names and numbers of people
are never measured by this list.
"""

from webapp.intake.descriptors import WORDS
from webapp.intake.names import PARTS
from webapp.intake.profile import WRITTEN_WORDS

# Code words of CT images (PS3.3: ImageType, BodyPartExamined, modulation, filters) and of reconstruction kernels.
_CODES = """
    original primary derived secondary axial localizer volume spiral helical stationary free constant angle rotate
    sampled mixed angio fluoroscopy perfusion attenuation virtual monoenergetic electron density material monochrome
    clip max min mean mpr average projection subtraction addition none yes body head neck chest thorax lung lungs
    abdomen pelvis spine whole cspine tspine lspine heart leg arm foot hand knee hip shoulder liver kidney brain skull
    sinus extremity breast wedge flat bowtie fixed rotating dual single multi energy table feet first supine prone
    decubitus hfs hfp ffs ffp ffdr hfdr standard bone soft detail edge sharp smooth ultra medium plus boneplus asir
    veo safire admire idose imr mbir iterative filtered back reconstruction reconstructed algorithm filter kernel
    linear sigmoid window windows center width preset hounsfield units unspecified lossy lossless
"""
_MAKERS = """
    siemens healthineers healthcare somatom definition flash edge force drive emotion sensation scope perspective
    confidence naeotom alpha go ge medical systems lightspeed brightspeed discovery revolution optima evo apex philips
    brilliance ingenuity icon iqon incisive spectral mx toshiba canon aquilion prime genesis one asteion alexion
    hitachi scenaria supria neusoft neuviz united imaging uct acme synthetic version software system
"""
# Words of histories, requests and findings, in English and German.
_MEDICAL = """
    clinical information history indication indications question reason study exam examination request comment
    comments known previous prior status report please note year years old male female man woman patient patients
    since days weeks months today yesterday cough fever dyspnea dyspnoea pain smoker smoking pack acute chronic severe
    mild moderate covid corona pneumonia pneumonias tuberculosis cancer carcinoma tumor tumour tumors metastasis
    metastases lymphoma embolism emboli asthma copd fibrosis fibrotic interstitial lung lungs pulmonary pleural
    effusion effusions nodule nodules mass lesion lesions opacity opacities groundglass ground glass consolidation
    consolidations infiltrate infiltrates infection infections bilateral unilateral right left upper lower middle lobe
    lobes both basal apical peripheral central diffuse focal suspected suspicion exclude exclusion rule out follow
    followup control staging therapy treatment chemotherapy radiation radiotherapy surgery operation resection biopsy
    after before during post pre contrast agent medium media enhanced allergy allergies allergic iodine renal function
    creatinine diabetes hypertension heart failure cardiac vaccination vaccinated positive negative test pcr antigen
    oxygen saturation ventilation intensive care unit emergency room ward scan scanner tomography computed radiology
    thoracic thorax chest abdomen basic application confidentiality profile clean option descriptors retain
    longitudinal temporal modified dates date characteristics device identity method code codes sequence structure
    anatomic anatomical region segment segmentation finding findings morphologically abnormal normal quantitative
    measurement image images klinische klinischer klinisches angaben angabe fragestellung frage anamnese bekannt
    bekannte bekannter zustand nach verdacht auf ausschluss verlauf verlaufskontrolle kontrolle befund befunde husten
    fieber luftnot atemnot dyspnoe schmerz schmerzen raucher raucherin nichtraucher seit tagen wochen monaten jahren
    jahre jahr heute gestern akut akute chronisch chronische pneumonie infektion infekt lunge lungen lungenfibrose
    lungenembolie lungenkarzinom bronchial karzinom tumorleiden metastasen rundherd rundherde milchglas
    milchglastrübung milchglastrübungen trübung trübungen verdichtung verdichtungen konsolidierung konsolidierungen
    infiltrat erguss pleuraerguss beidseits beidseitig rechts links oberlappen unterlappen mittellappen kontrastmittel
    kontrast nativ native axial axiale aufnahme aufnahmen untersuchung bitte patientin patienten weiblich männlich
    allergie allergien jod nierenfunktion kreatinin herz herzinsuffizienz bluthochdruck impfung geimpft positiv
    negativ beatmung intensivstation notaufnahme station therapie behandlung bestrahlung chemotherapie nachsorge
    vorsorge brustschmerz brustkorb röntgen
"""
_LITTLE = """
    the and for with without from that this these those was were has have had been not but are can could may might
    will would should shall his her she him they them their there here who which what when where while also only any
    all some more most less least very new old other another each every into onto over under above below between about
    against again still now then than such same per via due like well first second third last next der die das den dem
    des ein eine einer eines einem einen und oder aber nicht kein keine keinen mit ohne von vom zur zum bei beim aus
    auf für über unter vor nach seit bis ist war sind waren hat hatte wird wurde wurden sein ihre ihr sehr auch noch
    nur schon jetzt dann als wie wenn wegen links rechts neu neue neuer alte alter
"""
ORDINARY = frozenset(f"{_CODES} {_MAKERS} {_MEDICAL} {_LITTLE}".split()) | WORDS | PARTS | WRITTEN_WORDS

/* The forms of one message; each is written from the same summary. */
#ifndef CORDON_NOTIFY_FORMS_H
#define CORDON_NOTIFY_FORMS_H

#include "notify/summary.h"

/* <= 99 ASCII characters, one line; severity, state and case id always stand. */
void subject_write(const struct summary *s, char out[100]);
/* One GSM-7 part: <= 160 characters. */
void sms_write(const struct summary *s, struct buf *out);
/* Plain text of at most 40 lines. */
void mail_write(const struct summary *s, struct buf *out);
/* OCSF 1.6 Incident Finding (class 2005); new reference. https://schema.ocsf.io/1.6.0/classes/incident_finding */
json_t *ocsf_incident(const struct summary *s);
/* Amazon Q Developer custom notification (schema version 1.0); new reference. */
json_t *chat_notification(const struct summary *s);

#endif

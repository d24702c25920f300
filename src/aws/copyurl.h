/*
 * A copy from another region carries a presigned URL for that region, with which the service there
 * is asked for the data. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopySnapshot.html
 * and the PreSignedUrl of https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CopyDBSnapshot.html
 */
#ifndef CORDON_AWS_COPYURL_H
#define CORDON_AWS_COPYURL_H

#include "aws/job.h"

/*
 * Makes the URL of a job whose parameters are filled, when it is such a copy and the caller gave
 * none. RDS never gets the SourceRegion itself. Needs credentials.
 */
ERR_MUST_CHECK enum err_status copyurl_add(struct job *j, struct err *err);

#endif

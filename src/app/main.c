#include "app/app.h"
#include "app/lambda.h"

int main(int argc, char **argv)
{
	if (lambda_wanted(env_system(), argc > 0 ? argv[0] : NULL)) {
		return lambda_main(env_system());
	}
	return app_main(env_system(), argc, argv);
}

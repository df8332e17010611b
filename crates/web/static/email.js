// email
